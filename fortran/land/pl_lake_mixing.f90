!> Conductances of lakes: molecular, by eddies that the wind drives, through ice.
!>
!> Wind-driven eddies: Henderson-Sellers (1985), Appl. Math. Modelling 9, 441-446; enhanced diffusion under the thermocline:
!> Fang and Stefan (1996); deep lakes mix more: Subin et al. (2012), J. Adv. Model. Earth Syst. 4, M02001, equations
!> 25-30. Ice floats: in a layer that is partly frozen the node of the heat equation is the ice front, above it lies
!> the ice of the layer and below it its water. So a front within a layer sees the resistance of the ice that is there,
!> as in Stefan's problem, and not that of half a layer.
module pl_lake_mixing
   use pl_chunk, only: w => chunk_width
   use pl_constants, only: conductivity_ice, conductivity_water, density_ice, density_water, gravity, &
                           heat_capacity_water, von_karman
   use pl_kinds, only: rk
   use pl_lake_chunk, only: lake_chunk_type, lake_layers, snow_density
   implicit none (type, external)
   private
   public :: lake_conductance, skin_conductance, water_diffusivity

   real(rk), parameter :: eddy_factor = 0.0012_rk        !! friction velocity in water by the wind at 2 m [1]
   real(rk), parameter :: lowest_wind = 0.1_rk           !! at 2 m [m s-1]
   real(rk), parameter :: wind_height = 2.0_rk           !! [m]
   real(rk), parameter :: ekman_factor = 6.6_rk          !! of the decay of eddies with depth [m-1 (m s-1)**1.84]
   real(rk), parameter :: ekman_power = -1.84_rk         !! [1]
   real(rk), parameter :: deepest_decay = 40.0_rk        !! decay beyond which eddies are slower than molecules [1]
   real(rk), parameter :: richardson_factor = 37.0_rk    !! of the damping by stratification [1]
   real(rk), parameter :: enhanced_factor = 1.04e-8_rk   !! diffusivity at N2 = 1 s-2 [m2 s-1]
   real(rk), parameter :: enhanced_power = -0.43_rk      !! [1]
   real(rk), parameter :: least_stratification = 7.5e-5_rk !! in the enhanced diffusion [s-2]
   real(rk), parameter :: deep_lake = 25.0_rk            !! depth from which [m]
   real(rk), parameter :: deep_factor = 10.0_rk          !! mixing is so much stronger [1]
   real(rk), parameter :: densest = 277.0_rk             !! temperature of the largest density [K]
   real(rk), parameter :: density_loss = 1.9549e-5_rk    !! by departure from it [K**-1.68]
   real(rk), parameter :: density_power = 1.68_rk        !! [1]
   real(rk), parameter :: least_distance = 1.0e-3_rk     !! conductive sublayer on either side of an ice front [m]
   real(rk), parameter :: capacity = density_water*heat_capacity_water !! of water [J m-3 K-1]
   real(rk), parameter :: molecular = conductivity_water/capacity      !! diffusivity of heat [m2 s-1]
   real(rk), parameter :: snow_conductivity = 0.30_rk    !! Jordan (1991) at the density of the snow [W m-1 K-1]
   real(rk), parameter :: floating_ice = conductivity_ice*density_ice/density_water
   !! conductivity by thickness as liquid water: ice is thicker than the water it came from [W m-1 K-1]

contains

   !> Density of the layers, ice included (Hostetler and Bartlein 1990).
   pure subroutine find_density(lake, density)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(out) :: density(w, lake_layers) !! [kg m-3]
      real(rk) :: water
      integer :: i, k
      do k = 1, lake_layers
         do i = 1, w
            water = density_water*(1.0_rk - density_loss*abs(lake%temperature(i, k) - densest)**density_power)
            density(i, k) = water + lake%ice(i, k)*(density_ice - water)
         end do
      end do
   end subroutine find_density

   !> Conductance between the skin and the node of the top layer: eddies in open water, ice and snow in series.
   pure subroutine skin_conductance(lake, friction_velocity, roughness, conductance)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: friction_velocity(w) !! of the air [m s-1]
      real(rk), intent(in) :: roughness(w)         !! momentum roughness length [m]
      real(rk), intent(out) :: conductance(w)      !! [W m-2 K-1]
      real(rk) :: distance, eddy, wind
      integer :: i
      do i = 1, w
         wind = max(friction_velocity(i)/von_karman*log(wind_height/roughness(i)), lowest_wind)
         ! eddies grow with depth: their mean over the way is that at half of it
         eddy = von_karman*eddy_factor*wind*0.25_rk*lake%thickness(i, 1)
         distance = max(merge(lake%ice(i, 1), 0.5_rk, lake%ice(i, 1) > 0.0_rk .and. lake%ice(i, 1) < 1.0_rk) &
                        *lake%thickness(i, 1), least_distance)
         conductance(i) = 1.0_rk/(distance/merge(floating_ice, conductivity_water + capacity*eddy, lake%ice(i, 1) > 0.0_rk) &
                                  + lake%snow(i)/(snow_density*snow_conductivity))
      end do
   end subroutine skin_conductance

   !> Diffusivity of heat in the water of each layer.
   pure subroutine water_diffusivity(lake, friction_velocity, roughness, diffusivity)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: friction_velocity(w)         !! of the air [m s-1]
      real(rk), intent(in) :: roughness(w)                 !! momentum roughness length [m]
      real(rk), intent(out) :: diffusivity(w, lake_layers) !! [m2 s-1]
      real(rk) :: density(w, lake_layers)
      real(rk), dimension(w) :: stir, decay, factor, node
      real(rk) :: damping, eddy, fade, richardson, stratification, wind
      integer :: i, k
      call find_density(lake, density)
      do i = 1, w
         wind = max(friction_velocity(i)/von_karman*log(wind_height/roughness(i)), lowest_wind)
         stir(i) = eddy_factor*wind
         decay(i) = ekman_factor*sqrt(lake%rotation(i))*exp(ekman_power*log(wind))
         factor(i) = merge(deep_factor, 1.0_rk, lake%depth(i) >= deep_lake)
         node(i) = 0.5_rk*lake%thickness(i, 1)
      end do
      do k = 1, lake_layers - 1
         do i = 1, w
            stratification = max(gravity*(density(i, k + 1) - density(i, k)) &
                                 /(0.5_rk*density_water*(lake%thickness(i, k) + lake%thickness(i, k + 1))), 0.0_rk)
            fade = exp(-min(decay(i)*node(i), deepest_decay))
            damping = von_karman*node(i)/(stir(i)*fade)
            richardson = (sqrt(1.0_rk + 40.0_rk*stratification*damping*damping) - 1.0_rk)/20.0_rk
            eddy = von_karman*stir(i)*node(i)*fade/(1.0_rk + richardson_factor*richardson*richardson)
            eddy = (1.0_rk - lake%ice(i, 1))*eddy
            diffusivity(i, k) = factor(i)*(molecular + eddy &
                                + enhanced_factor*exp(enhanced_power*log(max(stratification, least_stratification))))
            node(i) = node(i) + 0.5_rk*(lake%thickness(i, k) + lake%thickness(i, k + 1))
         end do
      end do
      do i = 1, w
         diffusivity(i, lake_layers) = diffusivity(i, lake_layers - 1)
      end do
   end subroutine water_diffusivity

   !> Conductance between the nodes of neighbouring layers.
   pure subroutine lake_conductance(lake, diffusivity, between)
      type(lake_chunk_type), intent(in) :: lake
      real(rk), intent(in) :: diffusivity(w, lake_layers)  !! [m2 s-1]
      real(rk), intent(out) :: between(w, lake_layers)     !! to the layer below; 0 for the last [W m-2 K-1]
      real(rk) :: above(w) ! resistance from the node above to the layer's upper edge [m2 K W-1]
      real(rk) :: front, to_top, to_bottom, water
      logical :: is_mixed
      integer :: i, k
      do k = 1, lake_layers
         do i = 1, w
            water = capacity*diffusivity(i, k)
            is_mixed = lake%ice(i, k) > 0.0_rk .and. lake%ice(i, k) < 1.0_rk
            front = merge(lake%ice(i, k), 0.5_rk, is_mixed)*lake%thickness(i, k)
            to_top = max(front, least_distance)/merge(floating_ice, water, lake%ice(i, k) > 0.0_rk)
            to_bottom = max(lake%thickness(i, k) - front, least_distance) &
                        /merge(floating_ice, water, lake%ice(i, k) >= 1.0_rk)
            if (k > 1) between(i, k - 1) = 1.0_rk/(above(i) + to_top)
            above(i) = to_bottom
         end do
      end do
      do i = 1, w
         between(i, lake_layers) = 0.0_rk
      end do
   end subroutine lake_conductance

end module pl_lake_mixing
