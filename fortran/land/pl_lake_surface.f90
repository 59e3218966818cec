!> Temperature and fluxes of the skin of a lake.
!>
!> CLM Technical Note, section 12.4, after Subin et al. (2012): the skin has no heat capacity; its temperature balances
!> absorbed shortwave, longwave, turbulent fluxes and conduction to the node of the top layer. First stability and
!> resistances over the top layer of the step's start, as in CLM; then the balance with the top layer of the step's end
!> (pl_lake_heat), so that thin layers take long steps and strong winds. Ice and snow do not get warmer than the melting
!> point: what the balance has left there melts them. It cannot melt more than there is: where that does not last, the
!> balance is solved anew for open water that loses the heat of that melt: air and lower layers give it together.
!> The flux into the lake is what the surface balance leaves, so that energy closes however far the iteration got.
module pl_lake_surface
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: density_water, freezing_point, gravity, heat_capacity_air, kinematic_viscosity_air, &
                           latent_fusion, latent_vaporisation, stefan_boltzmann, von_karman
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type
   use pl_lake_heat, only: lake_heat_type, top_gain
   use pl_lake_mixing, only: skin_conductance
   use pl_lake_radiation, only: snow_cover
   use pl_land_chunk, only: weather_chunk_type
   use pl_moist_air, only: saturation_chunk, saturation_chunk_ice
   use pl_monin_obukhov, only: aerodynamic_resistance, first_stability, next_stability
   implicit none (type, external)
   private
   public :: lake_exchange, lake_skin_type, lake_surface

   integer, parameter :: nstability = 4                  !! iterations of stability and skin temperature [1]
   integer, parameter :: nbalance = 6                    !! iterations of the skin temperature alone [1]
   real(rk), parameter :: emissivity = 0.97_rk           !! of water, ice and snow [1]
   real(rk), parameter :: first_roughness = 1.0e-4_rk    !! of water, first guess [m]
   real(rk), parameter :: smooth_factor = 0.1_rk         !! roughness of smooth water by viscosity over u* [1]
   real(rk), parameter :: charnock_low = 0.01_rk         !! Charnock parameter of the open sea [1]
   real(rk), parameter :: charnock_range = 0.1_rk        !! what short fetch and shallow water add [1]
   real(rk), parameter :: critical_fetch = 22.0_rk       !! dimensionless (Vickers and Mahrt 1997) [1]
   real(rk), parameter :: fetch_ratio = 25.0_rk          !! fetch by depth [1]
   real(rk), parameter :: shortest_fetch = 100.0_rk      !! [m]
   real(rk), parameter :: lowest_wind = 1.0_rk           !! in the Charnock parameter [m s-1]
   real(rk), parameter :: least_scalar = 1.0e-5_rk       !! roughness length of heat and vapour [m]
   real(rk), parameter :: least_reynolds = 0.1_rk        !! roughness Reynolds number of smooth water [1]
   real(rk), parameter :: prandtl = 0.71_rk, schmidt = 0.66_rk !! of air [1]
   real(rk), parameter :: ice_roughness = 0.001_rk       !! momentum roughness length [m]
   real(rk), parameter :: snow_roughness = 0.0024_rk     !! momentum roughness length [m]
   real(rk), parameter :: coldest = 180.0_rk, warmest = 350.0_rk !! bounds of the skin temperature in the iteration [K]

   !> The skin: exchange coefficients with the air, then temperature and fluxes.
   type :: lake_skin_type
      logical :: is_frozen(w)             !! ice lies at the surface, after lake_surface: and lasts the step
      real(rk) :: temperature(w)          !! [K]
      real(rk) :: conductance(w)          !! to the node of the top layer [W m-2 K-1]
      real(rk) :: latent_heat(w)          !! of vaporisation or sublimation [J kg-1]
      real(rk) :: friction_velocity(w)    !! [m s-1]
      real(rk) :: roughness(w)            !! momentum roughness length [m]
      real(rk) :: resistance(w)           !! to heat [s m-1]
      real(rk) :: resistance_vapour(w)    !! [s m-1]
      real(rk) :: sensible(w)             !! [W m-2]
      real(rk) :: evaporation(w)          !! [kg m-2 s-1]
      real(rk) :: longwave_up(w)          !! [W m-2]
      real(rk) :: into_lake(w)            !! heat flux into the top layer [W m-2]
      real(rk) :: melt(w)                 !! what is left to melt snow and ice [W m-2]
   end type lake_skin_type

contains

   !> Stability and resistances, with the skin in balance over the top layer of the step's start.
   pure subroutine lake_exchange(stability_limit, weather, lake, shortwave, skin)
      real(rk), intent(in) :: stability_limit         !! largest zeta in stable air [1]
      type(weather_chunk_type), intent(in) :: weather !! with derived members
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: shortwave(w)            !! absorbed by the skin [W m-2]
      type(lake_skin_type), intent(out) :: skin
      real(rk), dimension(w) :: charnock, height, log_momentum, log_heat, log_vapour, rough_heat, rough_vapour
      real(rk), dimension(w) :: humidity, humidity_slope, moisture, warmth, virtual_air, virtual_difference, zeta, wind
      real(rk) :: resistance_momentum(w)
      integer :: i, iteration
      call start_skin(weather, lake, charnock, skin)
      do iteration = 1, nstability
         call skin_humidity(skin, weather, humidity, humidity_slope)
         do i = 1, w
            height(i) = weather%reference_height(i) + skin%roughness(i)
            log_momentum(i) = log(height(i)/skin%roughness(i))
            warmth(i) = weather%potential_temperature(i) - skin%temperature(i)
            moisture(i) = weather%specific_humidity(i) - humidity(i)
         end do
         if (iteration == 1) then
            do i = 1, w
               virtual_air(i) = weather%potential_temperature(i)*(1.0_rk + 0.61_rk*weather%specific_humidity(i))
               virtual_difference(i) = warmth(i)*(1.0_rk + 0.61_rk*weather%specific_humidity(i)) &
                                       + 0.61_rk*weather%potential_temperature(i)*moisture(i)
            end do
            call first_stability(weather%wind_speed, height, log_momentum, virtual_air, virtual_difference, &
                                 stability_limit, zeta, wind)
            skin%friction_velocity = von_karman*wind/log_momentum
         else
            call next_stability(weather%wind_speed, height, skin%friction_velocity, skin%resistance, &
                                weather%potential_temperature, virtual_air, weather%specific_humidity, warmth, moisture, &
                                stability_limit, zeta, wind)
         end if
         call scalar_roughness(skin, height, log_heat, log_vapour, rough_heat, rough_vapour)
         call aerodynamic_resistance(wind, height, skin%roughness, rough_vapour, log_momentum, log_vapour, zeta, &
                                     skin%friction_velocity, resistance_momentum, skin%resistance_vapour)
         call aerodynamic_resistance(wind, height, skin%roughness, rough_heat, log_momentum, log_heat, zeta, &
                                     skin%friction_velocity, resistance_momentum, skin%resistance)
         call skin_conductance(lake, skin%friction_velocity, skin%roughness, skin%conductance)
         call newton_step(weather, shortwave, skin%conductance, lake%temperature(:, 1), skin)
         call water_roughness(lake, charnock, skin)
      end do
   end subroutine lake_exchange

   !> Temperature and fluxes of the skin in balance with the end of the step, and what they leave for the lake.
   pure subroutine lake_surface(dt, weather, lake, shortwave, enthalpy, heat, skin)
      real(rk), intent(in) :: dt                      !! time step [s]
      type(weather_chunk_type), intent(in) :: weather !! with derived members
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: shortwave(w)            !! absorbed by the skin [W m-2]
      real(rk), intent(in) :: enthalpy(w)             !! of the top layer at the step's start [J m-2]
      type(lake_heat_type), intent(in) :: heat        !! of the layers, eliminated
      type(lake_skin_type), intent(inout) :: skin
      real(rk), dimension(w) :: conductance, left, node, store
      real(rk) :: conducted, finish, ice, snow, sublimated
      logical :: is_gone(w)
      integer :: i, iteration
      do i = 1, w
         ! flux = conductance*(skin - node) is that into a top layer which it warms during the step
         conductance(i) = skin%conductance(i)*heat%pivot(i, 1)/(heat%pivot(i, 1) + dt*skin%conductance(i))
         node(i) = lake%temperature(i, 1) + heat%right(i, 1)/heat%pivot(i, 1)
      end do
      do iteration = 1, nbalance
         call newton_step(weather, shortwave, conductance, node, skin)
      end do
      call skin_fluxes(weather, shortwave, skin, left)
      do i = 1, w
         conducted = conductance(i)*(skin%temperature(i) - node(i))
         skin%into_lake(i) = merge(conducted, left(i), skin%is_frozen(i) .and. skin%temperature(i) >= freezing_point)
         skin%melt(i) = left(i) - skin%into_lake(i)
         ! what is there to melt: snow, and the ice that the heat of the layers leaves in the top layer
         snow = lake%snow(i) + dt*weather%snowfall(i)
         sublimated = min(dt*skin%evaporation(i), snow)
         finish = enthalpy(i) &
                  + top_gain(dt, heat%capacity(i, 1), heat%pivot(i, 1), heat%right(i, 1), skin%into_lake(i))
         ice = max(latent_fusion*density_water*lake%thickness(i, 1) - finish, 0.0_rk)
         is_gone(i) = skin%is_frozen(i) .and. dt*skin%melt(i) > latent_fusion*(snow - sublimated) + ice
         store(i) = latent_fusion*snow + ice
      end do
      if (any(is_gone)) call outlast_ice(dt, weather, shortwave, conductance, node, store, is_gone, skin)
   end subroutine lake_surface

   !> Where snow and the ice of the top layer melt within the step: the skin is water at its end, and their heat of
   !> fusion is a loss of its balance. Such a skin is above the melting point: over ice there was more left than they take.
   pure subroutine outlast_ice(dt, weather, shortwave, conductance, node, store, is_gone, skin)
      real(rk), intent(in) :: dt                      !! time step [s]
      type(weather_chunk_type), intent(in) :: weather !! with derived members
      real(rk), intent(in) :: shortwave(w)            !! absorbed by the skin [W m-2]
      real(rk), intent(in) :: conductance(w)          !! to the node [W m-2 K-1]
      real(rk), intent(in) :: node(w)                 !! temperature of the top layer without surface flux [K]
      real(rk), intent(in) :: store(w)                !! heat that melts snow and ice [J m-2]
      logical, intent(in) :: is_gone(w)               !! nothing of them lasts
      type(lake_skin_type), intent(inout) :: skin
      type(lake_skin_type) :: water
      real(rk), dimension(w) :: gain, left
      integer :: i, iteration
      water = skin
      do i = 1, w
         water%is_frozen(i) = skin%is_frozen(i) .and. .not. is_gone(i)
         water%latent_heat(i) = merge(latent_vaporisation, skin%latent_heat(i), is_gone(i))
         water%melt(i) = merge(store(i)/dt, skin%melt(i), is_gone(i))
         gain(i) = merge(shortwave(i) - water%melt(i), shortwave(i), is_gone(i))
      end do
      do iteration = 1, nbalance
         call newton_step(weather, gain, conductance, node, water)
      end do
      call skin_fluxes(weather, shortwave, water, left)
      do i = 1, w
         skin%is_frozen(i) = water%is_frozen(i)
         skin%latent_heat(i) = water%latent_heat(i)
         skin%melt(i) = water%melt(i)
         skin%temperature(i) = merge(water%temperature(i), skin%temperature(i), is_gone(i))
         skin%sensible(i) = merge(water%sensible(i), skin%sensible(i), is_gone(i))
         skin%evaporation(i) = merge(water%evaporation(i), skin%evaporation(i), is_gone(i))
         skin%longwave_up(i) = merge(water%longwave_up(i), skin%longwave_up(i), is_gone(i))
         skin%into_lake(i) = merge(left(i) - water%melt(i), skin%into_lake(i), is_gone(i))
      end do
   end subroutine outlast_ice

   !> Fluxes to the air at the temperature of the skin, and what they leave of the energy that comes in.
   pure subroutine skin_fluxes(weather, shortwave, skin, left)
      type(weather_chunk_type), intent(in) :: weather !! with derived members
      real(rk), intent(in) :: shortwave(w)            !! absorbed by the skin [W m-2]
      type(lake_skin_type), intent(inout) :: skin
      real(rk), intent(out) :: left(w)                !! [W m-2]
      real(rk), dimension(w) :: humidity, humidity_slope
      integer :: i
      call skin_humidity(skin, weather, humidity, humidity_slope)
      do i = 1, w
         skin%sensible(i) = weather%air_density(i)*heat_capacity_air/skin%resistance(i) &
                            *(skin%temperature(i) - weather%potential_temperature(i))
         skin%evaporation(i) = weather%air_density(i)/skin%resistance_vapour(i) &
                               *(humidity(i) - weather%specific_humidity(i))
         skin%longwave_up(i) = emissivity*stefan_boltzmann*skin%temperature(i)**4 &
                               + (1.0_rk - emissivity)*weather%longwave_down(i)
         left(i) = shortwave(i) + weather%longwave_down(i) - skin%longwave_up(i) - skin%sensible(i) &
                   - skin%latent_heat(i)*skin%evaporation(i)
      end do
   end subroutine skin_fluxes

   !> Surface of the step's start.
   pure subroutine start_skin(weather, lake, charnock, skin)
      type(weather_chunk_type), intent(in) :: weather
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(out) :: charnock(w) !! Charnock parameter by fetch and depth [1]
      type(lake_skin_type), intent(out) :: skin
      real(rk) :: fetch, speed
      integer :: i
      do i = 1, w
         speed = max(weather%wind_speed(i), lowest_wind)
         fetch = max(fetch_ratio*lake%depth(i), shortest_fetch)
         fetch = exp(log(fetch*gravity/(speed*speed))/3.0_rk)/critical_fetch
         charnock(i) = charnock_low + charnock_range*exp(-min(fetch, sqrt(lake%depth(i)*gravity)/speed))
         skin%is_frozen(i) = lake%ice(i, 1) > 0.0_rk
         skin%temperature(i) = merge(min(lake%surface_temperature(i), freezing_point), lake%surface_temperature(i), &
                                     skin%is_frozen(i))
         skin%latent_heat(i) = latent_vaporisation + merge(latent_fusion, 0.0_rk, skin%is_frozen(i))
         skin%roughness(i) = merge(ice_roughness + (snow_roughness - ice_roughness)*snow_cover(lake%snow(i)), &
                                   first_roughness, skin%is_frozen(i))
      end do
   end subroutine start_skin

   !> Saturation over ice where the surface is frozen, else over water.
   pure subroutine skin_humidity(skin, weather, humidity, slope)
      type(lake_skin_type), intent(in) :: skin
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(out) :: humidity(w) !! [kg kg-1]
      real(rk), intent(out) :: slope(w)    !! derivative to temperature [kg kg-1 K-1]
      real(rk), dimension(w) :: over_ice, over_ice_slope, pressure
      integer :: i
      call saturation_chunk(skin%temperature, weather%air_pressure, pressure, humidity, slope)
      call saturation_chunk_ice(skin%temperature, weather%air_pressure, over_ice, over_ice_slope)
      do i = 1, w
         humidity(i) = merge(over_ice(i), humidity(i), skin%is_frozen(i))
         slope(i) = merge(over_ice_slope(i), slope(i), skin%is_frozen(i))
      end do
   end subroutine skin_humidity

   !> Roughness lengths of heat and vapour: Zilitinkevich et al. (2001) over water, Zeng and Dickinson (1998) over ice.
   pure subroutine scalar_roughness(skin, height, log_heat, log_vapour, rough_heat, rough_vapour)
      type(lake_skin_type), intent(in) :: skin
      real(rk), intent(in) :: height(w)        !! [m]
      real(rk), intent(out) :: log_heat(w)     !! ln(height/roughness length) [1]
      real(rk), intent(out) :: log_vapour(w)   !! the same for vapour [1]
      real(rk), intent(out) :: rough_heat(w)   !! [m]
      real(rk), intent(out) :: rough_vapour(w) !! [m]
      real(rk) :: heat, reynolds, root, rough, vapour
      integer :: i
      do i = 1, w
         reynolds = skin%friction_velocity(i)*skin%roughness(i)/kinematic_viscosity_air
         rough = -0.13_rk*exp(0.45_rk*log(reynolds))
         root = 4.0_rk*sqrt(max(reynolds, least_reynolds))
         heat = merge(rough, -von_karman/prandtl*(root - 3.2_rk), skin%is_frozen(i))
         vapour = merge(rough, -von_karman/schmidt*(root - 4.2_rk), skin%is_frozen(i))
         rough_heat(i) = max(skin%roughness(i)*exp(heat), least_scalar)
         rough_vapour(i) = max(skin%roughness(i)*exp(vapour), least_scalar)
         log_heat(i) = log(height(i)/rough_heat(i))
         log_vapour(i) = log(height(i)/rough_vapour(i))
      end do
   end subroutine scalar_roughness

   !> Roughness of water in this wind: smooth, or waves.
   pure subroutine water_roughness(lake, charnock, skin)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: charnock(w) !! [1]
      type(lake_skin_type), intent(inout) :: skin
      real(rk) :: rough
      integer :: i
      do i = 1, w
         rough = max(smooth_factor*kinematic_viscosity_air/skin%friction_velocity(i), &
                     charnock(i)*skin%friction_velocity(i)**2/gravity)
         skin%roughness(i) = merge(skin%roughness(i), rough, lake%ice(i, 1) > 0.0_rk)
      end do
   end subroutine water_roughness

   !> One Newton step of the skin temperature. The balance is concave in it: from the warm side the steps converge.
   pure subroutine newton_step(weather, shortwave, conductance, node, skin)
      type(weather_chunk_type), intent(in) :: weather
      real(rk), intent(in) :: shortwave(w)   !! [W m-2]
      real(rk), intent(in) :: conductance(w) !! to the node [W m-2 K-1]
      real(rk), intent(in) :: node(w)        !! temperature below the skin [K]
      type(lake_skin_type), intent(inout) :: skin
      real(rk), dimension(w) :: humidity, humidity_slope
      real(rk) :: balance, cube, heat, slope, vapour
      integer :: i
      call skin_humidity(skin, weather, humidity, humidity_slope)
      do i = 1, w
         heat = weather%air_density(i)*heat_capacity_air/skin%resistance(i)
         vapour = skin%latent_heat(i)*weather%air_density(i)/skin%resistance_vapour(i)
         cube = emissivity*stefan_boltzmann*skin%temperature(i)**3
         balance = shortwave(i) + emissivity*weather%longwave_down(i) - cube*skin%temperature(i) &
                   - heat*(skin%temperature(i) - weather%potential_temperature(i)) &
                   - vapour*(humidity(i) - weather%specific_humidity(i)) &
                   - conductance(i)*(skin%temperature(i) - node(i))
         slope = 4.0_rk*cube + heat + vapour*humidity_slope(i) + conductance(i)
         skin%temperature(i) = min(max(skin%temperature(i) + balance/slope, coldest), warmest)
         skin%temperature(i) = merge(min(skin%temperature(i), freezing_point), skin%temperature(i), skin%is_frozen(i))
      end do
   end subroutine newton_step

end module pl_lake_surface
