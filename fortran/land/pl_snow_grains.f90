!> Ageing of snow: optical grain radius of every layer, and two ages of the surface.
!>
!> Grains grow as in Jordan (1991), CRREL Special Report 91-16. With d the diameter, dry grains follow the vapour flux
!> U, wet ones the liquid water per volume theta (eqs. 33 and 34):
!>
!>     dd/dt = g1 min(|U|, 1e-6)/d,        dd/dt = g2 (min(theta, 0.09) + 0.05)/d
!>
!> Both are linear in d**2 and are integrated exactly, so that any step is safe. The vapour flux is diffusion down the
!> gradient of saturation (eqs. 20 and 21). Refrozen liquid is coarse (Flanner and Zender 2006, J. Geophys. Res. 111,
!> D12208; CLM Technical Note, section 3.2.3). Age of the surface: Dickinson et al. (1993), NCAR/TN-387+STR (BATS).
module pl_snow_grains
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point, gas_water_vapour, latent_fusion, latent_vaporisation
   use pl_kinds, only: rk
   use pl_snow_chunk, only: most_snow_layers, smallest_grain, snow_chunk_type, snow_mass
   implicit none (type, external)
   private
   public :: age_dust, age_snow, grow_grains, largest_grain, refrozen_grain

   real(rk), parameter :: largest_grain = 1500.0_rk  !! optical radius that no snow exceeds [um]
   real(rk), parameter :: refrozen_grain = 1000.0_rk !! optical radius of refrozen liquid [um]
   real(rk), parameter :: dry_growth = 5.0e-7_rk     !! g1 (Jordan 1991) [m4 kg-1]
   real(rk), parameter :: wet_growth = 4.0e-12_rk    !! g2 (Jordan 1991) [m2 s-1]
   real(rk), parameter :: largest_flux = 1.0e-6_rk   !! vapour flux from which grains grow no faster [kg m-2 s-1]
   real(rk), parameter :: first_wetness = 1.0e-4_rk  !! liquid per volume from which snow is wet [1]
   real(rk), parameter :: last_wetness = 0.09_rk     !! liquid per volume from which grains grow no faster [1]
   real(rk), parameter :: wet_onset = 0.05_rk        !! growth of the first wetness, in units of liquid per volume [1]
   real(rk), parameter :: ice_saturation = 613.6_rk  !! vapour pressure over ice at 0 degC (Jordan 1991) [Pa]
   real(rk), parameter :: vapour_diffusion = 9.2e-5_rk !! in snow at 0 degC and 1000 hPa (Jordan 1991) [m2 s-1]
   real(rk), parameter :: diffusion_pressure = 1.0e5_rk !! pressure of `vapour_diffusion` [Pa]
   real(rk), parameter :: ageing_rate = 1.0e-6_rk    !! (BATS) [s-1]
   real(rk), parameter :: ageing_temperature = 5000.0_rk !! activation of grain growth (BATS) [K]
   real(rk), parameter :: dirt_ageing = 0.3_rk       !! share of dirt and soot in the rate (BATS) [1]
   real(rk), parameter :: renewing_mass = 10.0_rk    !! new snow that makes a surface new (BATS) [kg m-2]
   real(rk), parameter :: ice_sheet_mass = 800.0_rk  !! a heavier pack stays new (BATS) [kg m-2]
   real(rk), parameter :: day = 86400.0_rk           !! [s]
   real(rk), parameter :: micrometre = 1.0e-6_rk     !! [m um-1]

contains

   !> Growth of the grains of all layers over one step, then the share of what froze in the step.
   !>
   !> A layer grows with the mean flux through its two faces; the flux through the surface is that through the lower
   !> face of the top layer, as in Jordan (1991). Layers that are absent keep their radius.
   pure subroutine grow_grains(dt, air_pressure, soil_temperature, soil_distance, refrozen, snow)
      real(rk), intent(in) :: dt                         !! time step [s]
      real(rk), intent(in) :: air_pressure(w)            !! [Pa]
      real(rk), intent(in) :: soil_temperature(w)        !! of the top soil layer [K]
      real(rk), intent(in) :: soil_distance(w)           !! from the ground down to the middle of that layer [m]
      real(rk), intent(in) :: refrozen(w, most_snow_layers) !! liquid that froze in the step, part of the ice [kg m-2]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk) :: flux(w, most_snow_layers), vapour, diameter, radius, pore, wetness, growth, share, mass
      logical :: is_present
      integer :: highest, i, k
      highest = minval(snow%top)
      if (highest > snow%nsnow) return
      call find_vapour_flux(air_pressure, soil_temperature, soil_distance, highest, snow, flux)
      do k = highest, snow%nsnow
         do i = 1, w
            is_present = k >= snow%top(i)
            vapour = merge(0.5_rk*(flux(i, k) + flux(i, max(k - 1, 1))), flux(i, k), k > snow%top(i))
            ! liquid per volume up to last_wetness; thickness is that where snow lies, masses are per ground
            pore = last_wetness*density_water*snow%thickness(i, k)*snow%cover(i)
            wetness = last_wetness*min(snow%liquid(i, k), pore)/merge(pore, 1.0_rk, pore > 0.0_rk)
            growth = merge(wet_growth*(wetness + wet_onset), dry_growth*vapour, wetness > first_wetness)
            diameter = 2.0_rk*micrometre*snow%grain_radius(i, k)
            diameter = sqrt(diameter*diameter + 2.0_rk*dt*growth)
            mass = snow%ice(i, k) + snow%liquid(i, k)
            share = min(refrozen(i, k), mass)/merge(mass, 1.0_rk, is_present .and. mass > 0.0_rk)
            radius = (1.0_rk - share)*(0.5_rk/micrometre)*diameter + share*refrozen_grain
            radius = min(max(radius, smallest_grain), largest_grain)
            snow%grain_radius(i, k) = merge(radius, snow%grain_radius(i, k), is_present)
         end do
      end do
   end subroutine grow_grains

   !> Vapour flux through the lower face of each layer, without its sign.
   !>
   !> The soil lends the diffusivity of the lowest layer: its vapour comes from its upper edge.
   pure subroutine find_vapour_flux(air_pressure, soil_temperature, soil_distance, highest, snow, flux)
      real(rk), intent(in) :: air_pressure(w)     !! [Pa]
      real(rk), intent(in) :: soil_temperature(w) !! [K]
      real(rk), intent(in) :: soil_distance(w)    !! [m]
      integer, intent(in) :: highest              !! layer from which on there is snow in a lane [1]
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: flux(w, most_snow_layers) !! at most largest_flux; 0 above `highest` [kg m-2 s-1]
      real(rk) :: diffusion(w), below(w), temperature(w), resistance, ratio, ratio3, own, way
      logical :: is_present
      integer :: i, k
      flux = 0.0_rk
      temperature = soil_temperature
      below = 0.0_rk ! of the layer below: half its thickness over its diffusivity [K m2 s kg-1]
      do i = 1, w
         diffusion(i) = vapour_diffusion*diffusion_pressure/air_pressure(i)
      end do
      do k = snow%nsnow, highest, -1
         do i = 1, w
            ratio = snow%temperature(i, k)/freezing_point
            ratio3 = ratio*ratio*ratio
            own = diffusion(i)*ratio3*ratio3*saturation_slope(snow%temperature(i, k))
            is_present = k >= snow%top(i) .and. snow%thickness(i, k) > 0.0_rk
            own = 1.0_rk/own
            resistance = 0.5_rk*merge(snow%thickness(i, k), 1.0_rk, is_present)*own
            way = resistance + merge(soil_distance(i)*own, below(i), k == snow%nsnow)
            ! min before the quotient: thin layers would divide by next to nothing
            flux(i, k) = min(abs(snow%temperature(i, k) - temperature(i)), largest_flux*way)/way
            temperature(i) = snow%temperature(i, k)
            below(i) = resistance
         end do
      end do
   end subroutine find_vapour_flux

   !> Derivative of the vapour density over ice to temperature (Jordan 1991, eq. 20).
   elemental function saturation_slope(temperature) result(slope)
      real(rk), intent(in) :: temperature !! [K]
      real(rk) :: slope                   !! [kg m-3 K-1]
      real(rk), parameter :: scale = (latent_vaporisation + latent_fusion)/gas_water_vapour !! [K]
      real(rk) :: inverse
      inverse = 1.0_rk/temperature
      slope = ice_saturation/gas_water_vapour*inverse*inverse*(scale*inverse - 1.0_rk) &
              *exp(scale*(1.0_rk/freezing_point - inverse))
   end function saturation_slope

   !> Non-dimensional age of the surface `snow%age` after one step (BATS); 0 without snow and on an ice sheet.
   pure subroutine age_snow(dt, surface_temperature, new_snow, snow)
      real(rk), intent(in) :: dt                     !! time step [s]
      real(rk), intent(in) :: surface_temperature(w) !! of the snow [K]
      real(rk), intent(in) :: new_snow(w)            !! that fell on it in the step [kg m-2]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk) :: mass(w), growth, refreezing, older
      integer :: i
      call snow_mass(snow, mass)
      do i = 1, w
         growth = ageing_temperature*(1.0_rk/freezing_point - 1.0_rk/min(surface_temperature(i), freezing_point))
         refreezing = exp(10.0_rk*growth)
         growth = exp(growth)
         older = snow%age(i) + ageing_rate*dt*(growth + refreezing + dirt_ageing)
         older = older*max(1.0_rk - new_snow(i)/renewing_mass, 0.0_rk)
         snow%age(i) = merge(older, 0.0_rk, snow%top(i) <= snow%nsnow .and. mass(i) <= ice_sheet_mass)
      end do
   end subroutine age_snow

   !> Time in which dust gathers in the layers that are present; new snow brings its own age, 0, where it joins.
   pure subroutine age_dust(dt, snow)
      real(rk), intent(in) :: dt !! time step [s]
      type(snow_chunk_type), intent(inout) :: snow
      integer :: i, k
      do k = 1, snow%nsnow
         do i = 1, w
            snow%dust_age(i, k) = merge(snow%dust_age(i, k) + dt/day, 0.0_rk, k >= snow%top(i))
         end do
      end do
   end subroutine age_dust

end module pl_snow_grains
