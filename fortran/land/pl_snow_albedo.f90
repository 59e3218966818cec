!> Albedo of a snow pack, and where in the pack absorbed light stays.
!>
!> Scheme `albedo_grains`: optical diameter d of the grains in three bands, 0.3-0.8, 0.8-1.5 and 1.5-2.8 um, and
!> darkening of the first by the dust of the air, as in Crocus (Vionnet et al. 2012, Geosci. Model Dev. 5, 773-791,
!> table 4; Brun et al. 1992, J. Glaciol. 38, 13-22). The visible band of pyland lies in the first; near infrared is
!> what is left of the spectrum. A direct beam sees a**u(mu) with u = 3/7 (1 + 2 mu) and a the diffuse albedo: a pack
!> whose grains have the diameter u**2 d (asymptotic theory, Kokhanovsky and Zege 2004, Appl. Opt. 43, 1589-1602).
!> Scheme `albedo_age`: BATS (Dickinson et al. 1993, NCAR/TN-387+STR; CLM3 Technical Note, section 3.2).
module pl_snow_albedo
   use pl_chunk, only: w => chunk_width
   use pl_kinds, only: rk
   use pl_land_chunk, only: albedo_age, albedo_grains, nband, near_infrared, visible
   use pl_snow_chunk, only: most_snow_layers, smallest_grain, snow_chunk_type
   use pl_snow_grains, only: largest_grain
   implicit none (type, external)
   private
   public :: band_albedo, dust_darkening, snow_absorption, snow_albedo

   integer, parameter :: nspectral = 3 !! bands of the grain scheme
   !> Weights in near infrared: the spectrum 0.71, 0.21, 0.08 less the visible half.
   real(rk), parameter :: infrared_weight(nspectral) = [0.42_rk, 0.42_rk, 0.16_rk]
   real(rk), parameter :: dust_floor = 0.6_rk         !! albedo of the first band that dust does not lower further [1]
   real(rk), parameter :: dust_pressure = 87000.0_rk  !! of Col de Porte, where the rate was found [Pa]
   real(rk), parameter :: least_dust = 0.5_rk, most_dust = 1.5_rk !! range of pressure over `dust_pressure` [1]
   real(rk), parameter :: upper_depth = 0.02_rk       !! top of the pack that makes `upper_weight` of the albedo [m]
   real(rk), parameter :: upper_weight = 0.8_rk       !! [1]
   real(rk), parameter :: lower_depth = 0.01_rk       !! snow below it that makes the rest [m]
   real(rk), parameter :: micrometre = 1.0e-6_rk      !! [m um-1]
   real(rk), parameter :: new_albedo(nband) = [0.95_rk, 0.65_rk] !! diffuse, of new snow (BATS) [1]
   real(rk), parameter :: age_loss(nband) = [0.2_rk, 0.5_rk]     !! share that old snow loses (BATS) [1]

contains

   !> Albedo of the snow-covered part of the ground, for both bands.
   !>
   !> With grains the soil shines through thin snow: light passes the pack down and up. Lanes without snow get the
   !> soil's albedo (grains) or that of new snow (age); their cover is 0.
   pure subroutine snow_albedo(scheme, dust_rate, cosine_zenith, air_pressure, soil_albedo, snow, direct, diffuse)
      integer, intent(in) :: scheme                !! albedo_grains or albedo_age
      real(rk), intent(in) :: dust_rate            !! loss of visible albedo by dust at Col de Porte (grains) [day-1]
      real(rk), intent(in) :: cosine_zenith(w)     !! of the sun; at night that of the horizon is taken [1]
      real(rk), intent(in) :: air_pressure(w)      !! (grains) [Pa]
      real(rk), intent(in) :: soil_albedo(w, nband) !! of the soil below, for diffuse light (grains) [1]
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: direct(w, nband)    !! for the beam [1]
      real(rk), intent(out) :: diffuse(w, nband)   !! for diffuse light [1]
      real(rk) :: albedo(w, nspectral), seen(w, nspectral), beam(w, nspectral)
      integer :: i
      if (scheme == albedo_age) then
         call bats_albedo(cosine_zenith, snow, direct, diffuse)
         return
      end if
      call deep_albedo(dust_rate, air_pressure, snow, albedo)
      call beam_albedo(cosine_zenith, albedo, beam)
      call ground_in_sight(snow, seen)
      do i = 1, w
         diffuse(i, visible) = albedo(i, 1) + seen(i, 1)*(soil_albedo(i, visible) - albedo(i, 1))
         direct(i, visible) = beam(i, 1) + seen(i, 1)*(soil_albedo(i, visible) - beam(i, 1))
      end do
      call mix_infrared(soil_albedo(:, near_infrared), albedo, seen, diffuse(:, near_infrared))
      call mix_infrared(soil_albedo(:, near_infrared), beam, seen, direct(:, near_infrared))
   end subroutine snow_albedo

   !> Layer from which on any lane has snow; the lowest where none has.
   pure integer function first_layer(snow)
      type(snow_chunk_type), intent(in) :: snow
      first_layer = min(minval(snow%top), snow%nsnow)
   end function first_layer

   !> Mean of the three bands with the weights of near infrared, soil in sight included.
   pure subroutine mix_infrared(soil, albedo, seen, mean)
      real(rk), intent(in) :: soil(w)              !! albedo [1]
      real(rk), intent(in) :: albedo(w, nspectral) !! of deep snow [1]
      real(rk), intent(in) :: seen(w, nspectral)   !! share of the soil [1]
      real(rk), intent(out) :: mean(w)             !! [1]
      integer :: band, i
      mean = 0.0_rk
      do band = 1, nspectral
         do i = 1, w
            mean(i) = mean(i) + infrared_weight(band)*(albedo(i, band) + seen(i, band)*(soil(i) - albedo(i, band)))
         end do
      end do
   end subroutine mix_infrared

   !> Diffuse albedo of deep, clean snow in the three bands; darkening lowers the first.
   elemental subroutine band_albedo(grain_radius, darkening, first, second, third)
      real(rk), intent(in) :: grain_radius !! optical [um]
      real(rk), intent(in) :: darkening    !! by dust, from `dust_darkening` [1]
      real(rk), intent(out) :: first       !! 0.3-0.8 um [1]
      real(rk), intent(out) :: second      !! 0.8-1.5 um [1]
      real(rk), intent(out) :: third       !! 1.5-2.8 um [1]
      real(rk), parameter :: largest_third = 0.0023_rk !! diameter from which the third band changes no more [m]
      real(rk) :: d, root
      d = 2.0_rk*micrometre*min(max(grain_radius, smallest_grain), largest_grain)
      root = sqrt(d)
      first = max(min(0.96_rk - 1.58_rk*root, 0.92_rk) - darkening, dust_floor)
      second = max(0.9_rk - 15.4_rk*root, 0.3_rk)
      d = min(d, largest_third)
      third = 346.3_rk*d - 32.31_rk*sqrt(d) + 0.88_rk
   end subroutine band_albedo

   !> Loss of albedo in the first band by the dust of `age` days; dense air carries more.
   elemental function dust_darkening(rate, age, air_pressure) result(darkening)
      real(rk), intent(in) :: rate         !! loss of albedo at `dust_pressure` [day-1]
      real(rk), intent(in) :: age          !! [day]
      real(rk), intent(in) :: air_pressure !! [Pa]
      real(rk) :: darkening                !! [1]
      darkening = rate*age*min(max(air_pressure/dust_pressure, least_dust), most_dust)
   end function dust_darkening

   !> Albedos of a pack too deep to see the soil: layers weighted by their share of the top 3 cm.
   !>
   !> What a thinner pack lacks goes to its lowest layer. Crocus weights its two top layers so.
   pure subroutine deep_albedo(dust_rate, air_pressure, snow, albedo)
      real(rk), intent(in) :: dust_rate       !! [day-1]
      real(rk), intent(in) :: air_pressure(w) !! [Pa]
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: albedo(w, nspectral) !! [1]
      real(rk) :: depth(w), above(w), below, weight, first, second, third
      integer :: i, k
      depth = 0.0_rk
      above = 0.0_rk
      albedo = 0.0_rk
      do k = first_layer(snow), snow%nsnow
         do i = 1, w
            depth(i) = depth(i) + merge(snow%thickness(i, k), 0.0_rk, k >= snow%top(i))
            below = upper_weight*min(depth(i)/upper_depth, 1.0_rk) &
                    + (1.0_rk - upper_weight)*min(max(depth(i) - upper_depth, 0.0_rk)/lower_depth, 1.0_rk)
            below = merge(1.0_rk, below, k == snow%nsnow)
            weight = below - above(i)
            above(i) = below
            call band_albedo(snow%grain_radius(i, k), dust_darkening(dust_rate, snow%dust_age(i, k), air_pressure(i)), &
                             first, second, third)
            albedo(i, 1) = albedo(i, 1) + weight*first
            albedo(i, 2) = albedo(i, 2) + weight*second
            albedo(i, 3) = albedo(i, 3) + weight*third
         end do
      end do
   end subroutine deep_albedo

   !> Albedo for a beam: brighter than diffuse light sees below mu = 2/3, darker above.
   pure subroutine beam_albedo(cosine_zenith, albedo, beam)
      real(rk), intent(in) :: cosine_zenith(w)     !! [1]
      real(rk), intent(in) :: albedo(w, nspectral) !! for diffuse light, above 0 [1]
      real(rk), intent(out) :: beam(w, nspectral)  !! [1]
      real(rk) :: escape
      integer :: band, i
      do band = 1, nspectral
         do i = 1, w
            escape = 3.0_rk/7.0_rk*(1.0_rk + 2.0_rk*min(max(cosine_zenith(i), 0.0_rk), 1.0_rk))
            beam(i, band) = exp(escape*log(albedo(i, band)))
         end do
      end do
   end subroutine beam_albedo

   !> Share of the light that passes the pack twice; none in the third band where there is snow.
   pure subroutine ground_in_sight(snow, seen)
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: seen(w, nspectral) !! 1 without snow [1]
      real(rk) :: path(w, 2), first, second
      integer :: i, k
      path = 0.0_rk
      do k = first_layer(snow), snow%nsnow
         do i = 1, w
            call optical_path(snow%ice(i, k) + snow%liquid(i, k), snow%thickness(i, k), snow%cover(i), &
                              snow%grain_radius(i, k), k >= snow%top(i), first, second)
            path(i, 1) = path(i, 1) + first
            path(i, 2) = path(i, 2) + second
         end do
      end do
      ! bands in one loop: gfortran peels lanes off the loop over both, whose exponential is then the scalar one
      do i = 1, w
         seen(i, 1) = exp(-2.0_rk*path(i, 1))
         seen(i, 2) = exp(-2.0_rk*path(i, 2))
         seen(i, 3) = merge(1.0_rk, 0.0_rk, snow%top(i) > snow%nsnow)
      end do
   end subroutine ground_in_sight

   !> Extinction times thickness of a layer in the first two bands (Vionnet et al. 2012, table 4).
   !>
   !> The mass where snow lies, mass/cover, is density times thickness.
   elemental subroutine optical_path(mass, thickness, cover, grain_radius, is_present, first, second)
      real(rk), intent(in) :: mass         !! ice and liquid per ground [kg m-2]
      real(rk), intent(in) :: thickness    !! [m]
      real(rk), intent(in) :: cover        !! [1]
      real(rk), intent(in) :: grain_radius !! [um]
      logical, intent(in) :: is_present
      real(rk), intent(out) :: first       !! [1]
      real(rk), intent(out) :: second      !! [1]
      real(rk) :: column
      column = mass/merge(cover, 1.0_rk, is_present .and. cover > 0.0_rk) &
               /sqrt(2.0_rk*micrometre*min(max(grain_radius, smallest_grain), largest_grain))
      first = merge(max(0.00192_rk*column, 40.0_rk*thickness), 0.0_rk, is_present)
      second = merge(max(0.01098_rk*column, 100.0_rk*thickness), 0.0_rk, is_present)
   end subroutine optical_path

   !> Where absorbed light stays: each band decays through the layers, the third stays in the surface layer.
   !>
   !> Near infrared is split among the three bands by what clean snow of the surface's grains absorbs of each. The parts
   !> add up to what came in; without snow all reaches the ground.
   pure subroutine snow_absorption(snow, absorbed_visible, absorbed_near_infrared, per_layer, to_ground)
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(in) :: absorbed_visible(w)       !! by snow and the ground below it [W m-2]
      real(rk), intent(in) :: absorbed_near_infrared(w) !! by snow and the ground below it [W m-2]
      real(rk), intent(out) :: per_layer(w, most_snow_layers) !! 0 in absent layers [W m-2]
      real(rk), intent(out) :: to_ground(w)             !! what passes the pack [W m-2]
      real(rk) :: light(w, nspectral), left(w), first, second
      logical :: is_present
      integer :: i, k
      per_layer = 0.0_rk
      call split_light(snow, absorbed_visible, absorbed_near_infrared, light)
      do i = 1, w
         left(i) = absorbed_visible(i) + absorbed_near_infrared(i)
      end do
      do k = first_layer(snow), snow%nsnow
         do i = 1, w
            is_present = k >= snow%top(i)
            call optical_path(snow%ice(i, k) + snow%liquid(i, k), snow%thickness(i, k), snow%cover(i), &
                              snow%grain_radius(i, k), is_present, first, second)
            light(i, 1) = light(i, 1)*merge(exp(-first), 1.0_rk, is_present)
            light(i, 2) = light(i, 2)*merge(exp(-second), 1.0_rk, is_present)
            light(i, 3) = merge(0.0_rk, light(i, 3), is_present)
            ! no layer gives light back: the sum of the bands rounds up where a layer takes next to nothing
            to_ground(i) = merge(min(light(i, 1) + light(i, 2) + light(i, 3), left(i)), left(i), is_present)
            per_layer(i, k) = left(i) - to_ground(i)
            left(i) = to_ground(i)
         end do
      end do
   end subroutine snow_absorption

   !> Absorbed light by the bands of the grain scheme.
   pure subroutine split_light(snow, absorbed_visible, absorbed_near_infrared, light)
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(in) :: absorbed_visible(w)       !! [W m-2]
      real(rk), intent(in) :: absorbed_near_infrared(w) !! [W m-2]
      real(rk), intent(out) :: light(w, nspectral)      !! [W m-2]
      real(rk) :: radius(w), first, second, third, total
      integer :: i, k
      radius = smallest_grain
      do k = snow%nsnow, 1, -1
         do i = 1, w
            radius(i) = merge(snow%grain_radius(i, k), radius(i), k >= snow%top(i))
         end do
      end do
      do i = 1, w
         call band_albedo(radius(i), 0.0_rk, first, second, third)
         first = infrared_weight(1)*(1.0_rk - first)
         second = infrared_weight(2)*(1.0_rk - second)
         third = infrared_weight(3)*(1.0_rk - third)
         total = absorbed_near_infrared(i)/(first + second + third)
         light(i, 1) = absorbed_visible(i) + total*first
         light(i, 2) = total*second
         light(i, 3) = total*third
      end do
   end subroutine split_light

   !> BATS: diffuse light by the age of the surface, a low beam brighter.
   pure subroutine bats_albedo(cosine_zenith, snow, direct, diffuse)
      real(rk), intent(in) :: cosine_zenith(w)   !! [1]
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(out) :: direct(w, nband)  !! [1]
      real(rk), intent(out) :: diffuse(w, nband) !! [1]
      real(rk), parameter :: b = 2.0_rk          !! no gain for mu above 1/b [1]
      real(rk), parameter :: horizon_gain = 0.4_rk !! of a beam on the horizon, of what diffuse light lacks [1]
      real(rk) :: aged, gain
      integer :: band, i
      do band = 1, nband
         do i = 1, w
            aged = snow%age(i)/(1.0_rk + snow%age(i))
            gain = max((1.0_rk + 1.0_rk/b)/(1.0_rk + 2.0_rk*b*max(cosine_zenith(i), 0.0_rk)) - 1.0_rk/b, 0.0_rk)
            diffuse(i, band) = new_albedo(band)*(1.0_rk - age_loss(band)*aged)
            direct(i, band) = diffuse(i, band) + horizon_gain*gain*(1.0_rk - diffuse(i, band))
         end do
      end do
   end subroutine bats_albedo

end module pl_snow_albedo
