!> Snow, soil and bedrock as one column of heat: rows for `ground_heat_step` and back.
!>
!> Rows 1..nsnow are snow (absent layers are inert), then the soil layers, then bedrock. All terms are per m2 of ground:
!> snow of cover f conducts f times what it would where it lies, and reaches the soil below through half its lowest layer
!> in series with half the top soil layer.
module pl_ground_column
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: conductivity_air, conductivity_ice, density_water, freezing_point, heat_capacity_water
   use pl_ground_heat, only: exchange_type, ground_heat_step
   use pl_kinds, only: rk
   use pl_land_chunk, only: snow_conductivity_calonne, snow_conductivity_sturm
   use pl_snow_chunk, only: most_snow_layers, snow_chunk_type
   implicit none (type, external)
   private
   public :: ground_column_step, snow_conductivity

   real(rk), parameter :: heaviest_snow = 917.0_rk !! density up to which the conductivity curves are used [kg m-3]
   real(rk), parameter :: least_cover = 1.0e-6_rk  !! of a lane that has snow; keeps ratios finite where there is none [1]

contains

   !> One step of heat and phase change in snow and soil.
   pure subroutine ground_column_step(dt, n, nlayer, nthermal, scheme, thickness, conductivity, dry_capacity, film, curve_scale, &
                                      curve_power, snow_light, bottom_flux, snow, soil_temperature, soil_water, soil_ice, &
                                      snow_surface, soil_surface, melt, snow_heat, soil_heat, iterations)
      real(rk), intent(in) :: dt                    !! time step [s]
      integer, intent(in) :: n                      !! snow layers to solve: all, or 0 where no lane has snow [1]
      integer, intent(in) :: nlayer                 !! soil layers [1]
      integer, intent(in) :: nthermal               !! soil and bedrock layers [1]
      integer, intent(in) :: scheme                 !! of the conductivity of snow
      real(rk), intent(in) :: thickness(w, nthermal)    !! of soil and bedrock layers [m]
      real(rk), intent(in) :: conductivity(w, nthermal) !! thermal [W m-1 K-1]
      real(rk), intent(in) :: dry_capacity(w, nthermal) !! heat capacity without water [J m-3 K-1]
      real(rk), intent(in) :: film(w, nlayer)           !! soil water that does not freeze [m3 m-3]
      real(rk), intent(in) :: curve_scale(w, nlayer)    !! of the freezing curve [m3 m-3 K**power]
      real(rk), intent(in) :: curve_power(w, nlayer)    !! of the freezing curve [1]
      real(rk), intent(in) :: snow_light(w, most_snow_layers) !! shortwave absorbed per snow layer [W m-2]
      real(rk), intent(in) :: bottom_flux           !! heat from below [W m-2]
      type(snow_chunk_type), intent(inout) :: snow
      real(rk), intent(inout) :: soil_temperature(w, nthermal) !! [K]
      real(rk), intent(inout) :: soil_water(w, nlayer)  !! liquid [m3 m-3]
      real(rk), intent(inout) :: soil_ice(w, nlayer)    !! as volume of liquid water [m3 m-3]
      type(exchange_type), intent(inout) :: snow_surface
      type(exchange_type), intent(inout) :: soil_surface
      real(rk), intent(out) :: melt(w)              !! of snow, refreezing negative [kg m-2]
      real(rk), intent(out) :: snow_heat(w)         !! gain of enthalpy of the snow [J m-2]
      real(rk), intent(out) :: soil_heat(w)         !! gain of enthalpy of soil and bedrock [J m-2]
      integer, intent(out) :: iterations(w)         !! of Newton's method [1]
      real(rk), dimension(w, n + nthermal) :: capacity, water, conductance, source, temperature, liquid
      real(rk), dimension(w, nlayer) :: row_film, row_scale
      real(rk) :: mass, total
      integer :: i, k, nrow, top(w)
      top = merge(n + 1, snow%top, n == 0)
      nrow = n + nthermal
      do k = 1, n
         do i = 1, w
            capacity(i, k) = merge(0.0_rk, 1.0_rk, k >= snow%top(i))
            water(i, k) = snow%ice(i, k) + snow%liquid(i, k)
            liquid(i, k) = snow%liquid(i, k)
            temperature(i, k) = snow%temperature(i, k)
            source(i, k) = snow_light(i, k)
         end do
      end do
      do k = 1, nthermal
         do i = 1, w
            capacity(i, n + k) = dry_capacity(i, k)*thickness(i, k)
            temperature(i, n + k) = soil_temperature(i, k)
            water(i, n + k) = 0.0_rk
            liquid(i, n + k) = 0.0_rk
            source(i, n + k) = 0.0_rk
         end do
      end do
      do k = 1, nlayer
         do i = 1, w
            mass = density_water*thickness(i, k)
            water(i, n + k) = mass*(soil_water(i, k) + soil_ice(i, k))
            liquid(i, n + k) = merge(mass*soil_water(i, k), water(i, n + k), soil_ice(i, k) > 0.0_rk)
            row_film(i, k) = mass*film(i, k)
            row_scale(i, k) = mass*curve_scale(i, k)
         end do
      end do
      source(:, nrow) = source(:, nrow) + bottom_flux
      call find_conductances(n, nthermal, scheme, snow, thickness, conductivity, conductance)
      if (n > 0) call melt_from_below(dt, snow, 0.5_rk*thickness(:, 1)/conductivity(:, 1), soil_temperature(:, 1), &
                                      capacity(:, n + 1) + heat_capacity_water*water(:, n + 1), conductance(:, n))
      call ground_heat_step(dt, n, nlayer, nrow, top, capacity, water, row_film, row_scale, curve_power, conductance, &
                            source, snow_surface, soil_surface, temperature, liquid, snow_heat, soil_heat, &
                            iterations)
      melt = 0.0_rk
      do k = 1, n
         do i = 1, w
            melt(i) = melt(i) + (liquid(i, k) - snow%liquid(i, k))
            snow%liquid(i, k) = liquid(i, k)
            snow%ice(i, k) = water(i, k) - liquid(i, k)
            snow%temperature(i, k) = temperature(i, k)
         end do
      end do
      do k = 1, nthermal
         soil_temperature(:, k) = temperature(:, n + k)
      end do
      do k = 1, nlayer
         do i = 1, w
            ! liquid and ice sum to what they were; water that has not met ice keeps its bits
            total = soil_water(i, k) + soil_ice(i, k)
            mass = density_water*thickness(i, k)
            soil_ice(i, k) = merge(0.0_rk, max(total - liquid(i, n + k)/mass, 0.0_rk), liquid(i, n + k) >= water(i, n + k))
            soil_water(i, k) = total - soil_ice(i, k)
         end do
      end do
   end subroutine ground_column_step

   !> Conductances between the rows.
   pure subroutine find_conductances(n, nthermal, scheme, snow, thickness, conductivity, conductance)
      integer, intent(in) :: n                              !! snow layers [1]
      integer, intent(in) :: nthermal                       !! [1]
      integer, intent(in) :: scheme
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(in) :: thickness(w, nthermal)        !! [m]
      real(rk), intent(in) :: conductivity(w, nthermal)     !! [W m-1 K-1]
      real(rk), intent(out) :: conductance(w, n + nthermal) !! to the row below [W m-2 K-1]
      real(rk) :: resistance(w, n + 1) ! of half a layer where it lies [m2 K W-1]
      real(rk) :: density, cover
      integer :: i, k
      do k = 1, n
         do i = 1, w
            cover = max(snow%cover(i), least_cover)
            density = (snow%ice(i, k) + snow%liquid(i, k)) &
                      /merge(snow%thickness(i, k)*cover, 1.0_rk, snow%thickness(i, k) > 0.0_rk)
            resistance(i, k) = 0.5_rk*snow%thickness(i, k)/snow_conductivity(scheme, density)
         end do
      end do
      resistance(:, n + 1) = 0.5_rk*thickness(:, 1)/conductivity(:, 1)
      do k = 1, n
         do i = 1, w
            conductance(i, k) = merge(snow%cover(i)/(resistance(i, k) + resistance(i, k + 1)), 0.0_rk, k >= snow%top(i))
         end do
      end do
      do k = 1, nthermal - 1
         do i = 1, w
            conductance(i, n + k) = 2.0_rk*conductivity(i, k)*conductivity(i, k + 1) &
                                    /(thickness(i, k)*conductivity(i, k + 1) + thickness(i, k + 1)*conductivity(i, k))
         end do
      end do
      conductance(:, n + nthermal) = 0.0_rk
   end subroutine find_conductances

   !> Conductance from warm soil to the snow on it.
   !>
   !> Snow is not warmer than T_f where it meets the soil, however warm the soil and however far the middle of its lowest
   !> layer: soil above T_f conducts through its own half layer to T_f, and no more in a step than it has above T_f. Between
   !> the middles of both layers alone, soil under a metre of wet snow would stay at 2 degC.
   pure subroutine melt_from_below(dt, snow, resistance, soil_temperature, soil_capacity, conductance)
      real(rk), intent(in) :: dt                  !! [s]
      type(snow_chunk_type), intent(in) :: snow
      real(rk), intent(in) :: resistance(w)       !! of the upper half of the top soil layer [m2 K W-1]
      real(rk), intent(in) :: soil_temperature(w) !! of that layer [K]
      real(rk), intent(in) :: soil_capacity(w)    !! of that layer [J m-2 K-1]
      real(rk), intent(inout) :: conductance(w)   !! between lowest snow layer and soil [W m-2 K-1]
      real(rk) :: warm, apart, flux
      logical :: is_warm
      integer :: i
      do i = 1, w
         warm = max(soil_temperature(i) - freezing_point, 0.0_rk)
         is_warm = warm > 0.0_rk .and. snow%top(i) <= snow%nsnow
         apart = soil_temperature(i) - min(snow%temperature(i, snow%nsnow), freezing_point)
         flux = min(snow%cover(i)*warm/resistance(i), soil_capacity(i)*warm/dt)
         conductance(i) = merge(max(conductance(i), flux/merge(apart, 1.0_rk, is_warm)), conductance(i), is_warm)
      end do
   end subroutine melt_from_below

   !> Thermal conductivity of snow: Jordan (1991), CRREL SR 91-16, eq. 21; Sturm et al. (1997), J. Glaciol. 43, 26-41,
   !> eq. 4; Calonne et al. (2011), Geophys. Res. Lett. 38, L23501, eq. 12.
   elemental function snow_conductivity(scheme, density) result(conductivity)
      integer, intent(in) :: scheme     !! snow_conductivity_*
      real(rk), intent(in) :: density   !! [kg m-3]
      real(rk) :: conductivity          !! [W m-1 K-1]
      real(rk) :: rho, gram
      rho = min(max(density, 0.0_rk), heaviest_snow)
      gram = 1.0e-3_rk*rho
      select case (scheme)
      case (snow_conductivity_sturm)
         conductivity = merge(0.023_rk + 0.234_rk*gram, 0.138_rk - 1.01_rk*gram + 3.233_rk*gram*gram, gram <= 0.156_rk)
      case (snow_conductivity_calonne)
         conductivity = 2.5e-6_rk*rho*rho - 1.23e-4_rk*rho + 0.024_rk
      case default
         conductivity = conductivity_air + (7.75e-5_rk*rho + 1.105e-6_rk*rho*rho)*(conductivity_ice - conductivity_air)
      end select
   end function snow_conductivity

end module pl_ground_column
